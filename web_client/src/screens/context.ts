import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { JoinApp } from "../join/app";
import type { JoinState } from "../state/join";

export const AppContext = createContext<JoinApp | null>(null);

export function useApp(): JoinApp {
  const app = useContext(AppContext);
  if (!app) throw new Error("a screen needs AppContext around it");
  return app;
}

export interface ScreenProps {
  state: JoinState;
}
