import { useId } from "preact/hooks";

const LONGEST = 40; // what the server takes

export interface PhoneFieldProps {
  label: string;
  hint?: string;
  /** The reader's own number, which their browser may fill in. */
  own?: boolean;
  value: string;
  onValue: (value: string) => void;
  problem: string;
}

/** A telephone number as people write it, and what is wrong with it. */
export function PhoneField({
  label,
  hint = "",
  own = false,
  value,
  onValue,
  problem,
}: PhoneFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="tel"
        autocomplete={own ? "tel" : "off"}
        maxLength={LONGEST}
        value={value}
        aria-invalid={problem !== ""}
        aria-describedby={`${id}-hint ${id}-problem`}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      <p id={`${id}-hint`} class="hint">
        {hint}
      </p>
      <p id={`${id}-problem`} role="alert" class="field-problem">
        {problem}
      </p>
    </div>
  );
}
