import { Board } from "./board";
import { Address, clearAddress } from "./address";
import { Door } from "./door";
import { $ } from "./dom";
import { installWorker } from "./install";
import { forget, forgetAllBut } from "./kept";
import { askAgain, lastPerson, onPerson, remember, signOut, type Person } from "./session";
import { forgetTyped } from "./typed";
import { View } from "./view";

const door = new Door();
let board: Board | undefined;
let isOver = false;
let isLeaving = false; // by signing out here

installWorker();
onPerson(
  (person) => {
    if (isOver) return;
    remember(person);
    if (board && board.person.id !== person?.id) return void end(board.person);
    if (!board) void forgetAllBut(person?.id).catch(() => undefined); // whoever was here before
    if (!person) forgetTyped();
    open(person);
  },
  () => {
    const last = lastPerson();
    if (last) open(last);
    else $("opening-trouble").hidden = false;
  },
);
$("opening-retry").addEventListener("click", () => {
  $("opening-trouble").hidden = true;
  askAgain();
});

/** Nothing of somebody stays when they have gone, here or in another tab. */
async function end(person: Person): Promise<void> {
  isOver = true;
  board?.rest();
  $("board").hidden = true;
  clearAddress();
  forgetTyped();
  if (isLeaving) await forget(person.id).catch(() => undefined);
  location.reload();
}

function open(person: Person | null): void {
  $("opening").hidden = true;
  if (!person) door.open();
  else if (!board) {
    door.close();
    enter(person);
  }
}

function enter(person: Person): void {
  const address = new Address(person, (query) => view.show(query));
  const mine = (board = new Board(person, address.read()));
  let warned = 0; // of how many changes that would be lost
  const view = new View(mine, address, async () => {
    await mine.leave();
    if (mine.unsent.isReady) await mine.unsent.flush().catch(() => undefined);
    const unsent = mine.unsent.waiting.length;
    let failure: string | undefined;
    if (unsent > 0 && unsent !== warned) {
      warned = unsent;
      const [what, them] = unsent === 1 ? ["1 change is", "it"] : [`${unsent} changes are`, "them"];
      failure = `${what} not sent yet. Sign out again to give ${them} up.`;
    } else {
      isLeaving = true;
      failure = await signOut();
    }
    if (!failure) return; // and so nobody is signed in
    isLeaving = false;
    mine.tell({ text: failure });
    mine.watch();
  });
  mine.onChange = () => view.update();

  const watchWhileSeen = () =>
    document.visibilityState === "visible" ? mine.watch() : mine.rest();
  document.addEventListener("visibilitychange", watchWhileSeen);
  for (const event of ["pageshow", "online", "offline"])
    window.addEventListener(event, watchWhileSeen);
  window.addEventListener("pagehide", () => {
    if (isOver) return;
    void mine.leave();
    mine.journal();
  });
  window.addEventListener("beforeunload", (event) => {
    if (mine.changes.isUnsaved && !isOver) event.preventDefault();
  });
  watchWhileSeen();
}
