import { useEffect, useState } from 'react';

/** The present moment, in milliseconds. */
export interface Now {
  /** Of the calendar: to be compared with what others say. */
  readonly date: number;
  /** Of a clock that is never set: to be compared with itself. */
  readonly steady: number;
}

/** The present moment, anew every second, so that `4 s ago` grows old by itself. */
export function useNow(): Now {
  const [now, setNow] = useState(look);
  useEffect(() => {
    const timer = setInterval(() => setNow(look()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function look(): Now {
  return { date: Date.now(), steady: performance.now() };
}
