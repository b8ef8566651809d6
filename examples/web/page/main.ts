import { Board } from "./board";
import { Door } from "./door";
import { onPerson, signOut, type Person } from "./session";
import { View } from "./view";

const door = new Door();
let board: Board | undefined;

onPerson((person) => {
  if (board && board.person.id !== person?.id) {
    location.reload(); // nothing of somebody stays when they have gone, here or in another tab
  } else if (!person) {
    door.open();
  } else if (!board) {
    door.close();
    enter(person);
  }
});

function enter(person: Person): void {
  const mine = (board = new Board(person));
  const view = new View(mine, async () => {
    await mine.leave();
    const failure = await signOut();
    if (!failure) return; // and so nobody is signed in
    mine.tell(failure);
    mine.watch();
  });
  mine.onChange = () => view.update();

  const watchWhileSeen = () =>
    document.visibilityState === "visible" ? mine.watch() : mine.rest();
  document.addEventListener("visibilitychange", watchWhileSeen);
  window.addEventListener("pageshow", watchWhileSeen);
  window.addEventListener("pagehide", () => void mine.leave());
  watchWhileSeen();
}
