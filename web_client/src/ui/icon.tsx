const PATHS = {
  microphone:
    "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zm-6 8a6 6 0 0 0 12 0m-6 6v4m-3 0h6",
  microphoneOff:
    "M9 9v2a3 3 0 0 0 4.500 2.600M15 11V6a3 3 0 0 0-5.700-1.300M6 11a6 6 0 0 0 9.500 4.900M18 11a6 6 0 0 1-.5 2.400M12 17v4m-3 0h6M4 3l16 18",
  camera:
    "M4 7h10a1.500 1.500 0 0 1 1.500 1.500v7A1.500 1.500 0 0 1 14 17H4a1.500 1.500 0 0 1-1.500-1.500v-7A1.500 1.500 0 0 1 4 7zm11.500 4 5-3v8l-5-3",
  cameraOff:
    "M8 7h6a1.500 1.500 0 0 1 1.500 1.500V14M14 17H4a1.500 1.500 0 0 1-1.500-1.500v-7A1.500 1.500 0 0 1 4 7m11.500 4 5-3v8M4 3l16 18",
  leave: "M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8m-4-8h10m-4-4 4 4-4 4",
  phone:
    "M6 3h3l1.500 4.500L8.500 9a12 12 0 0 0 6 6l1.500-2 4.500 1.500v3a2 2 0 0 1-2.200 2A16 16 0 0 1 4 5.200 2 2 0 0 1 6 3z",
  sound: "M4 9h3l5-4v14l-5-4H4zm11.500 0a4 4 0 0 1 0 6m2.500-8.500a7.500 7.500 0 0 1 0 11",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-7.500 8.500a7.500 7.500 0 0 1 15 0",
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing beside words; never the only bearer of a meaning. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
