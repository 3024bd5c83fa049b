/**
 * Which entries of a list can stay where they are when the list is put in a new order: a longest increasing subsequence.
 */

/**
 * Takes the old places in their new order, -1 for what is new; returns one flag per place: 1 stays.
 * Time n·log n.
 */
export function staying(places) {
  const flags = new Uint8Array(places.length);
  const before = new Int32Array(places.length);
  const ends = []; // ends[length - 1]: where the best subsequence of that length ends
  for (let at = 0; at < places.length; at++) {
    const place = places[at];
    if (place < 0) continue;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[ends[middle]] < place) low = middle + 1;
      else high = middle;
    }
    before[at] = low > 0 ? ends[low - 1] : -1;
    ends[low] = at;
  }
  for (let at = ends.length > 0 ? ends[ends.length - 1] : -1; at >= 0; at = before[at]) flags[at] = 1;
  return flags;
}
