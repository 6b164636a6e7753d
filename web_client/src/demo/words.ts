import type { Language } from "../words";

/** What the demo's phone says; apart from the other words, which every patient loads. */
const en = {
  title: "Demo phone",
  explain: "This page is a telephone. It rings when the visit calls the patient.",
  number: "Its number:",
  switchOn: "Switch the phone on",
  switchOnHint: "Browsers let a page ring only after you press something.",
  idle: "The phone is on",
  idleBody: "Leave this page open. It rings when the visit calls.",
  ended: "The call is over.",
  unknown: "Unknown number",
  ringing: "Incoming call",
  answer: "Answer",
  decline: "Decline",
  talking: "On the phone",
  listen: "Listen: a voice says which key to press.",
  keypad: "Keypad",
  pressed: "Pressed: {keys}",
  hangUp: "Hang up",
  microphoneAsking: "Your browser asks for the microphone: choose Allow, and the others hear you.",
  microphoneOff: "This page has no microphone. You hear the others, and the keys work.",
  voicemail: "Voicemail answers calls that nobody answers here",
  taken: "The phone is open in another window",
  takenBody: "Only one window can be the phone.",
  takeBack: "Use the phone here",
  away: "The phone has lost the server. It keeps trying.",
};

const es: Record<keyof typeof en, string> = {
  title: "Teléfono de prueba",
  explain: "Esta página es un teléfono. Suena cuando la visita llama al paciente.",
  number: "Su número:",
  switchOn: "Encender el teléfono",
  switchOnHint: "Los navegadores solo dejan sonar una página después de que usted toque algo.",
  idle: "El teléfono está encendido",
  idleBody: "Deje esta página abierta. Suena cuando la visita llama.",
  ended: "La llamada terminó.",
  unknown: "Número desconocido",
  ringing: "Llamada entrante",
  answer: "Contestar",
  decline: "Rechazar",
  talking: "En llamada",
  listen: "Escuche: una voz dice qué tecla marcar.",
  keypad: "Teclado",
  pressed: "Marcado: {keys}",
  hangUp: "Colgar",
  microphoneAsking: "Su navegador pide el micrófono: elija Permitir y los demás le oirán.",
  microphoneOff: "Esta página no tiene micrófono. Usted oye a los demás y las teclas funcionan.",
  voicemail: "El buzón de voz contesta las llamadas que nadie contesta aquí",
  taken: "El teléfono está abierto en otra ventana",
  takenBody: "Solo una ventana puede ser el teléfono.",
  takeBack: "Usar el teléfono aquí",
  away: "El teléfono perdió el servidor. Sigue intentando.",
};

export type PhoneWord = keyof typeof en;
export const PHONE_WORDS: Record<Language, Record<PhoneWord, string>> = { en, es };

/** What to say in this language, with the value in place of the gap. */
export function phoneWord(language: Language, word: PhoneWord, value = ""): string {
  return PHONE_WORDS[language][word].replace(/\{\w+\}/, () => value);
}
