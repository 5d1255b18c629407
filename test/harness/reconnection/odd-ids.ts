/** Valid IDs that break code which treats an ID as a number, as a key, or as part of a URL. */
export const ODD_IDS = [
  '0',
  '-1',
  '007',
  '1e3',
  'a b',
  '100%',
  '%41',
  '"q"',
  ':x',
  '__proto__',
  'constructor',
  'null',
]
