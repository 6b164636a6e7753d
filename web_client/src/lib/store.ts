import { useEffect, useState } from "preact/hooks";

/** A pure reducer with somebody listening. Effects live with the listeners, never in the reducer. */
export class Store<State, Event> {
  private listeners = new Set<(next: State, previous: State) => void>();

  constructor(
    private readonly reduce: (state: State, event: Event) => State,
    private current: State,
  ) {}

  get state(): State {
    return this.current;
  }

  send(event: Event): void {
    const previous = this.current;
    this.current = this.reduce(previous, event);
    if (this.current === previous) return;
    for (const listener of this.listeners) listener(this.current, previous);
  }

  listen(listener: (next: State, previous: State) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** The store's state, re-rendering the component whenever it changes. */
export function useStore<State, Event>(store: Store<State, Event>): State {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    setState(store.state);
    return store.listen((next) => setState(next));
  }, [store]);
  return state;
}
