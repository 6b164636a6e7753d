import { Heading } from "../ui/heading";
import { useWords } from "../words";

/** Shown while the link opens, which may take long when there is no network. */
export function Opening({ away }: { away: boolean }) {
  const { t } = useWords();
  return (
    <>
      <Heading>{t("opening.title")}</Heading>
      <p>{t("check.promise")}</p>
      <p role="status">{away ? t("opening.away") : t("opening.body")}</p>
    </>
  );
}
