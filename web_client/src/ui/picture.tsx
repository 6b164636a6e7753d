import { useEffect, useRef } from "preact/hooks";
import { MOVING_TICK } from "../timing";

export interface PictureProps {
  stream: MediaStream;
  mirrored?: boolean;
  label: string;
  /** Told every second whether a new frame has come. */
  onMoving?: ((moving: boolean) => void) | undefined;
}

/** Moving picture without sound: browsers always let those play. */
export function Picture({ stream, mirrored = false, label, onMoving }: PictureProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = stream;
    void element.play().catch(() => undefined); // interrupted by the next stream
    return () => {
      element.srcObject = null;
    };
  }, [stream]);
  useEffect(() => {
    if (!onMoving) return;
    let before = framesOf(video.current);
    const timer = setInterval(() => {
      const frames = framesOf(video.current);
      onMoving(frames > before);
      before = frames;
    }, MOVING_TICK);
    return () => clearInterval(timer);
  }, [onMoving]);
  return (
    <video
      ref={video}
      class={mirrored ? "picture mirrored" : "picture"}
      muted
      autoPlay
      playsInline
      tabIndex={-1}
      aria-label={label}
    />
  );
}

function framesOf(video: HTMLVideoElement | null): number {
  return video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
}

export interface SoundProps {
  stream: MediaStream;
  onRefused: () => void;
}

/** One person's sound. Kept apart from the picture, which a refusal to sound must not stop. */
export function Sound({ stream, onRefused }: SoundProps) {
  const audio = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const element = audio.current;
    if (!element) return;
    element.srcObject = stream;
    element.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") onRefused();
    });
    return () => {
      element.srcObject = null;
    };
  }, [stream]);
  // biome-ignore lint/a11y/useMediaCaption: live speech of people in the visit
  return <audio ref={audio} autoPlay tabIndex={-1} />;
}
