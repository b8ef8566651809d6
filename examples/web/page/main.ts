import { Board } from "./board";
import { Address, clearAddress } from "./address";
import { Door } from "./door";
import { $ } from "./dom";
import { askAgain, onPerson, signOut, type Person } from "./session";
import { View } from "./view";

const door = new Door();
let board: Board | undefined;
let isOver = false;

onPerson(
  (person) => {
    if (board && board.person.id !== person?.id) {
      isOver = true;
      clearAddress();
      location.reload(); // nothing of somebody stays when they have gone, here or in another tab
      return;
    }
    $("opening").hidden = true;
    if (!person) door.open();
    else if (!board) {
      door.close();
      enter(person);
    }
  },
  () => ($("opening-trouble").hidden = false),
);
$("opening-retry").addEventListener("click", () => {
  $("opening-trouble").hidden = true;
  askAgain();
});

function enter(person: Person): void {
  const address = new Address(person, (query) => view.show(query));
  const mine = (board = new Board(person, address.read()));
  const view = new View(mine, address, async () => {
    await mine.leave();
    const failure = await signOut();
    if (!failure) return; // and so nobody is signed in
    mine.tell({ text: failure });
    mine.watch();
  });
  mine.onChange = () => view.update();

  const watchWhileSeen = () =>
    document.visibilityState === "visible" ? mine.watch() : mine.rest();
  document.addEventListener("visibilitychange", watchWhileSeen);
  window.addEventListener("pageshow", watchWhileSeen);
  window.addEventListener("pagehide", () => void mine.leave());
  window.addEventListener("beforeunload", (event) => {
    if (mine.changes.isUnsaved && !isOver) event.preventDefault();
  });
  watchWhileSeen();
}
