// What stands on the naming page: the fold of actions, as qscore/study/naming/state.py has it. No page, no network.

export const UNLABELLED = "unlabelled", DISCARDED = "discarded";

/** The state: concepts in the order of their making ({id, name, members: Set}), and what is discarded. */
const EMPTY = { concepts: [], discarded: new Set() };

/** The history before any action. */
export const START = { present: EMPTY, past: [], future: [], done: false };

/** Returns what a list of actions leads to; the first has the number 1. */
export const fold = (actions) => actions.reduce((history, action, i) => step(history, i + 1, action), START);

/** Returns the history after one more action, which the state allows. */
export function step(history, number, action) {
  const { present, past, future } = history;
  switch (action.do) {
    case "done": return { ...history, done: action.done };
    case "undo": return { ...history, present: past.at(-1), past: past.slice(0, -1), future: [...future, present] };
    case "redo": return { ...history, present: future.at(-1), past: [...past, present], future: future.slice(0, -1) };
    default: return { ...history, present: change(present, number, action), past: [...past, present], future: [] };
  }
}

function change(state, number, action) {
  const { concepts } = state;
  switch (action.do) {
    case "create": {
      const made = { id: `c${number}`, name: tidy(action.name), members: new Set() };
      return move({ ...state, concepts: [...concepts, made] }, action.members, made.id);
    }
    case "rename":
      return { ...state, concepts: concepts.map((one) => one.id === action.concept ? { ...one, name: tidy(action.name) } : one) };
    case "move":
      return move(state, action.members, action.to);
    case "merge": {
      const members = concepts.filter((one) => action.concepts.includes(one.id)).flatMap((one) => [...one.members]);
      const moved = move(state, members, action.into);
      return { ...moved, concepts: moved.concepts.filter((one) => !action.concepts.includes(one.id)) };
    }
    case "delete":
      return { ...state, concepts: concepts.filter((one) => one.id !== action.concept) };
    default:
      throw new Error(action.do);
  }
}

function move(state, members, to) {
  const moved = (set, isTarget) => {
    if (!isTarget && !members.some((key) => set.has(key))) return set;
    const next = new Set(set);
    for (const key of members) isTarget ? next.add(key) : next.delete(key);
    return next;
  };
  return {
    concepts: state.concepts.map((one) => ({ ...one, members: moved(one.members, one.id === to) })),
    discarded: moved(state.discarded, to === DISCARDED),
  };
}

/** Returns where an activation is: a concept's id, "discarded" or "unlabelled". */
export function placeOf(state, key) {
  if (state.discarded.has(key)) return DISCARDED;
  return state.concepts.find((one) => one.members.has(key))?.id ?? UNLABELLED;
}

/** Returns a name with single blanks and nothing that cannot be seen. */
export const tidy = (name) => name.normalize("NFC").replace(/[\p{C}\p{Z}]+/gu, " ").trim();

/** Returns the concept of a name but for case and blanks, if there is one. */
export const named = (state, name) => state.concepts.find((one) => nameKey(one.name) === nameKey(name));

const nameKey = (name) => tidy(name).toLowerCase();
