// Says of which groups this browser has changes that the server lacks.
import { stored } from "/static/naming-saving.js";

for (const link of document.querySelectorAll(".groups a")) {
  if (stored(link.pathname).some(([, queue]) => queue.length)) {
    link.querySelector(".state").textContent = "not all saved yet: open it";
    link.classList.add("unsent");
  }
}
