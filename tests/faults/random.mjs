// Random choices that a seed repeats exactly. No source of secrets.

/** Mulberry32. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (least, most) => least + Math.floor(next() * (most - least + 1));
  const chance = (probability) => next() < probability;
  const pick = (list) => list[int(0, list.length - 1)];
  /** One of `[weight, value]`. */
  const weighted = (entries) => {
    let left = next() * entries.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of entries) {
      left -= weight;
      if (left < 0) return value;
    }
    return entries.at(-1)[1];
  };
  /** Each entry with this probability, at least one. */
  const some = (list, probability) => {
    const chosen = list.filter(() => chance(probability));
    return chosen.length > 0 ? chosen : [pick(list)];
  };
  return { int, chance, pick, weighted, some };
}
