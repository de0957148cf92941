// What the browser keeps for the page; nothing where its user forbids that.

/** A storage, `localStorage` or `sessionStorage`, that never throws. */
function quiet(name) {
  return {
    get(key) {
      try {
        return window[name].getItem(key);
      } catch {
        return null;
      }
    },
    set(key, value) {
      try {
        window[name].setItem(key, value);
      } catch {
        // It lasts until the page is left.
      }
    },
  };
}

export const forGood = quiet("localStorage");
export const forThisTab = quiet("sessionStorage");
