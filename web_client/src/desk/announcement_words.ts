import type { Prompt } from "../protocol";
import type { AnnouncementNews, Standing } from "../state/announcements";
import { type Language, useWords } from "../words";

type PromptWord = `prompt_${Prompt}`;
type StandingWord = `standing_${Standing}`;
type NewsWord = `news_${AnnouncementNews}`;

/** What staff read about announcements; apart from the other words, which every patient loads. */
const en = {
  open: "Announcements on the phone",
  explain:
    "This is what a phone hears before it hears anybody. Somebody else may answer it: name no patient, and say nothing about health.",
  loading: "One moment.",
  retry: "Try again",
  close: "Close",
  language: "Language",
  another: "Another language…",
  tag: "Which language?",
  tagHint: "Its code, such as fr or pt-BR.",
  show: "Show this language",

  prompt_gate: "When somebody answers",
  prompt_connecting: "While connecting",
  prompt_first_in_line: "First in line",
  prompt_joined: "Another phone joins",
  prompt_hand_back: "Back to video",
  prompt_interrupted: "Calling again in a moment",
  prompt_goodbye: "Goodbye",
  prompt_trial: "Trying a number",
  prompt_trial_done: "The number works",

  standing_own: "Your own recording",
  standing_wider: "Your own recording, in {value}",
  standing_computer: "Spoken by the computer",
  standing_english: "Not recorded yet: said in English",
  words: "The computer says:",
  wordsEnglish: "In English:",

  listen: "Listen",
  quiet: "Stop listening",
  record: "Record",
  upload: "Upload a file",
  back: "Go back to the computer voice",
  backPlain: "Remove the recording",
  removing: "Going back…",
  asking: "Your browser may ask for the microphone. Please choose Allow.",
  recording: "Recording. Please speak now.",
  stop: "Stop recording",
  cancel: "Cancel",
  draft: "New recording. It is not in use yet.",
  keep: "Use this recording",
  discard: "Discard",
  sending: "Sending…",

  news_recording: "Recording.",
  news_draft: "The recording is ready to listen to. It is not in use yet.",
  news_kept: "Saved. Phones hear it from now on.",
  news_removed: "Your recording is gone.",

  problem_prompt_unreadable: "Nothing can be heard in this, or it is no sound file.",
  problem_prompt_too_long: "This is too long. Please stay under a minute and 5 MB.",
  problem_prompt_language_invalid:
    "This is no language code. Please write one such as fr or pt-BR.",
  problem_too_many_prompts: "There are too many recordings. Please remove one first.",
  problem_store_unavailable: "The server cannot save anything right now. Please try again soon.",
  problem_too_slow: "The connection was too slow. Please try again, or use a shorter recording.",
  problem_unauthorized: "This desk may not do that any more. Please load the page again.",
  problem_no_answer: "The server did not answer. Please try again.",
  problem_not_played: "This browser cannot play it.",
  problem_other: "That did not work. Please try again.",
} satisfies Record<PromptWord | StandingWord | NewsWord, string> & Record<string, string>;

const es: Record<AnnouncementWord, string> = {
  open: "Mensajes por teléfono",
  explain:
    "Esto es lo que se oye al teléfono antes de oír a nadie. Puede contestar otra persona: no nombre a ningún paciente ni diga nada de salud.",
  loading: "Un momento.",
  retry: "Intentar de nuevo",
  close: "Cerrar",
  language: "Idioma",
  another: "Otro idioma…",
  tag: "¿Qué idioma?",
  tagHint: "Su código, por ejemplo fr o pt-BR.",
  show: "Mostrar este idioma",

  prompt_gate: "Cuando alguien contesta",
  prompt_connecting: "Mientras se conecta",
  prompt_first_in_line: "Primera persona en la fila",
  prompt_joined: "Se une otro teléfono",
  prompt_hand_back: "De vuelta al video",
  prompt_interrupted: "Volvemos a llamar enseguida",
  prompt_goodbye: "Despedida",
  prompt_trial: "Al probar un número",
  prompt_trial_done: "El número funciona",

  standing_own: "Su propia grabación",
  standing_wider: "Su propia grabación, en {value}",
  standing_computer: "Lo dice la computadora",
  standing_english: "Aún sin grabar: se dice en inglés",
  words: "La computadora dice:",
  wordsEnglish: "En inglés:",

  listen: "Escuchar",
  quiet: "Dejar de escuchar",
  record: "Grabar",
  upload: "Subir un archivo",
  back: "Volver a la voz de la computadora",
  backPlain: "Quitar la grabación",
  removing: "Volviendo…",
  asking: "Quizá su navegador pida usar el micrófono. Elija Permitir, por favor.",
  recording: "Grabando. Hable ahora, por favor.",
  stop: "Terminar la grabación",
  cancel: "Cancelar",
  draft: "Grabación nueva. Todavía no se usa.",
  keep: "Usar esta grabación",
  discard: "Descartar",
  sending: "Enviando…",

  news_recording: "Grabando.",
  news_draft: "Ya puede escuchar la grabación. Todavía no se usa.",
  news_kept: "Guardada. Se oirá en los teléfonos desde ahora.",
  news_removed: "Su grabación ya no está.",

  problem_prompt_unreadable: "No se oye nada, o no es un archivo de sonido.",
  problem_prompt_too_long: "Es demasiado larga. Como mucho un minuto y 5 MB, por favor.",
  problem_prompt_language_invalid: "Eso no es un código de idioma. Escriba uno como fr o pt-BR.",
  problem_too_many_prompts: "Hay demasiadas grabaciones. Quite una primero, por favor.",
  problem_store_unavailable: "El servidor no puede guardar nada ahora. Intente de nuevo pronto.",
  problem_too_slow: "La conexión fue muy lenta. Intente de nuevo o con una grabación más corta.",
  problem_unauthorized: "Esta recepción ya no puede hacer eso. Vuelva a cargar la página.",
  problem_no_answer: "El servidor no contestó. Intente de nuevo, por favor.",
  problem_not_played: "Este navegador no puede reproducirla.",
  problem_other: "Eso no funcionó. Intente de nuevo, por favor.",
};

export type AnnouncementWord = keyof typeof en;
export const ANNOUNCEMENT_WORDS: Record<Language, Record<AnnouncementWord, string>> = { en, es };

/** Says something about announcements in the reader's language, with the value in its gap. */
export function useAnnouncementWords(): (word: AnnouncementWord, value?: string) => string {
  const words = ANNOUNCEMENT_WORDS[useWords().language];
  return (word, value = "") => words[word].replace(/\{\w+\}/, () => value);
}

/** What to say about something that did not work, by its code. */
export function problemWord(code: string): AnnouncementWord {
  const word = `problem_${code}`;
  return Object.hasOwn(en, word) ? (word as AnnouncementWord) : "problem_other";
}
