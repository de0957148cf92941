// Labels: what is to be read in a picture, as text: digits, `|` between lines, a space between groups.

/** What was typed as a label; it can always be kept. */
export const tidy = (text) =>
  text
    .split("|")
    .map((line) => line.match(/[0-9]+/g)?.join(" "))
    .filter(Boolean)
    .join("|");

/** What was read as a label, with the likeliest digit where the reader is not sure; null for other classes. */
export function asLabel({ lines, digits }) {
  if (digits.some(({ name }) => name !== undefined)) return null;
  let number = 0;
  return lines.map((line) => line.replaceAll(/[^ ]/g, () => value(digits[number++]))).join("|");
}

/** Where in a label a digit stands, counted from 0. */
export function placeOf(label, number) {
  return [...label.matchAll(/[0-9]/g)][number]?.index ?? label.length;
}

/** Of the ten probabilities, which digit has the highest. */
export const likeliest = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

const value = ({ digit, probabilities }) => digit ?? likeliest(probabilities);
