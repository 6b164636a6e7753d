import { useId } from "preact/hooks";

export interface Choice<T extends string> {
  value: T;
  text: string;
  /** The language of the text, if it is not the page's. */
  lang?: string;
}

export interface ChoiceFieldProps<T extends string> {
  label: string;
  choices: readonly Choice<T>[];
  value: T;
  onValue: (value: T) => void;
}

/** One of a few things. */
export function ChoiceField<T extends string>(props: ChoiceFieldProps<T>) {
  const { label, choices, value, onValue } = props;
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onValue(event.currentTarget.value as T)}>
        {choices.map((each) => (
          <option key={each.value} value={each.value} lang={each.lang}>
            {each.text}
          </option>
        ))}
      </select>
    </p>
  );
}
