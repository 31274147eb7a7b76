/**
 * Functions of lists, structs and maps.
 *
 * `make_list` (any number of one type) → list of it.
 */
export type NestedFunction = "make_list";
