// What a person did on one state, done again on a newer one, as far as it fits. No page, no network.
import { DISCARDED, UNLABELLED, named, step } from "/static/naming-state.js";

/**
 * Returns {history, number, items, leftOut}: the items that fit, under their new numbers, and how many do not.
 * history, number: what there is now, and the number of its last action.
 * items: {number, client_id, action}, in order; numbers and ids of concepts are those of the state they were done on.
 */
export function replay(history, number, items) {
  const ids = new Map(), kept = [];
  let past = [], future = [], leftOut = 0; // of the items: whether each change that can be undone, or redone, was kept
  for (const item of items) {
    const action = translated(item.action, ids);
    let fits;
    if (action.do === "done") fits = true;
    else if (action.do === "undo" || action.do === "redo") {
      const [from, to] = action.do === "undo" ? [past, future] : [future, past];
      if (from.length) to.push(fits = from.pop());
      else leftOut++; // what it took back, or again, is not the latest any more
    } else {
      fits = isPossible(history.present, action);
      if (!fits) leftOut++;
      past.push(fits);
      future = [];
    }
    if (!fits) continue;
    history = step(history, ++number, action);
    if (action.do === "create") ids.set(`c${item.number}`, `c${number}`);
    kept.push({ ...item, number, action });
  }
  return { history, number, items: kept, leftOut };
}

function translated(action, ids) {
  const now = (id) => ids.get(id) ?? id, changed = { ...action };
  for (const name of ["concept", "to", "into"]) if (name in action) changed[name] = now(action[name]);
  if (action.concepts) changed.concepts = action.concepts.map(now);
  return changed;
}

/** Whether the state allows a change; undo, redo and done are another matter. */
export function isPossible(state, action) {
  const isThere = (id) => state.concepts.some((one) => one.id === id);
  switch (action.do) {
    case "create": return !named(state, action.name);
    case "rename": return isThere(action.concept) && (named(state, action.name)?.id ?? action.concept) === action.concept;
    case "move": return action.to === UNLABELLED || action.to === DISCARDED || isThere(action.to);
    case "merge": return action.concepts.every(isThere) && isThere(action.into) && !action.concepts.includes(action.into);
    case "delete": return isThere(action.concept);
    default: return true;
  }
}
