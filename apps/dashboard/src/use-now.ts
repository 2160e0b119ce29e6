import { useEffect, useState } from 'react';

/** The present moment in milliseconds, anew every second, so that `4 s ago` grows old by itself. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
