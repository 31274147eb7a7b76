/** How tight operators bind. */
export const PRECEDENCE = {
  or: 5,
  and: 10,
  not: 15,
  contain: 16,
  is: 17,
  like: 19,
  compare: 20,
  bitOr: 21,
  bitXor: 22,
  bitAnd: 23,
  add: 30,
  multiply: 40,
  zone: 41,
  cast: 50,
  member: 100,
} as const;
