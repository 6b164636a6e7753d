import { useId } from "preact/hooks";

const LONGEST = 128; // what the server takes of names and labels

export interface TextFieldProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  required?: boolean;
}

/** One line of text about somebody else, which the reader's browser must not fill in. */
export function TextField({ label, value, onValue, required = false }: TextFieldProps) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        maxLength={LONGEST}
        required={required}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </p>
  );
}
