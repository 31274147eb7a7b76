/**
 * Functions of lists, structs and maps, with arguments of exactly these types. L is any list and E its item's type. NULL for a NULL
 * argument where nothing else is said. Items are equal as IS NOT DISTINCT FROM has it; in order NULL comes first. Places count
 * from 1, negative ones from the end. Who asks for more than LIST_LENGTH_MAX items gets an error `list_too_long`.
 *
 * Make: `make_list` (any number of one type) → list of it. `list_concat` (any number of L) → L, NULLs passed over. `list_repeat`
 *   (E, int64 count; E may be NULL) → L, none below 1. `list_series` (int64 start, stop, step, literal boolean: whether stop may be
 *   among them) → list of int64; a step of 0 is an error `list_argument`. `month_series` (timestamp start, stop, int64 months, int64
 *   nanoseconds, literal boolean) → list of timestamps. `text_to_list` (text, delimiter[, text that stands for NULL]; a delimiter NULL parts characters) → list of strings.
 * Read: `list_element` (L, int64) → E, NULL outside. `list_slice` (L, int64 from, to, step) → L, `to` included; a step of 0 is an error `list_argument`.
 *   `list_any_value` (L) → E, the first that is not NULL. `list_max`, `list_min` (L) → E. `list_length` (L, int64 dimension) → uint64, of the first list of that
 *   depth, NULL where there is none. `list_dims` (L) → list of uint64, NULL for an empty one. `list_cardinality` (L) → uint64, all items at all depths by the first ones' lengths.
 *   `list_is_empty` (L) → boolean. `list_distance` (list of float64, twice) → float64; other lengths are an error `list_argument`. `list_to_text` (list of strings, delimiter[, text for NULL, which
 *   is left out otherwise]) → string.
 * Find: `list_has` (L, E) → boolean. `list_has_all`, `list_has_any` (L, L) → boolean. `list_position` (L, E or NULL, int64 from, an error `list_argument` outside) → uint64, NULL where it is not.
 *   `list_positions` (L, E or NULL) → list of uint64.
 * Change: `list_distinct` (L), `list_union`, `list_intersect` (L, L) → L in order; of a union the second's others follow. `list_except` (L, L) → L in the first one's order.
 *   `list_remove` (L, E or NULL, int64 count) → L without so many of them. `list_replace` (L, E or NULL, E or NULL, int64 count) → L. `list_resize` (L, int64 length, of which NULL is 0, E or NULL to fill with) → L.
 *   `list_reverse` (L). `list_sort` (L, literal boolean descending, literal boolean NULLs first) → L. `list_flatten` (list of L) → L, NULLs passed over.
 * Structs: `make_struct` (its members) → struct. `struct_member` (struct, literal int64 place from 0) → the member's type.
 * Maps: `make_map` (list of keys, list of values) → map; keys that are equal or NULL, or lists of two lengths, are an error `map_keys`. `map_value` (map, key) → its value, NULL where there is none.
 *   `map_keys`, `map_values` (map) → lists. `map_entries` (map) → list of structs of `key` and `value`. `map_cardinality` (map) → uint64.
 */
export type NestedFunction =
  | "make_list"
  | "list_concat"
  | "list_repeat"
  | "list_series"
  | "month_series"
  | "text_to_list"
  | "list_element"
  | "list_slice"
  | "list_any_value"
  | "list_max"
  | "list_min"
  | "list_length"
  | "list_dims"
  | "list_cardinality"
  | "list_is_empty"
  | "list_distance"
  | "list_to_text"
  | "list_has"
  | "list_has_all"
  | "list_has_any"
  | "list_position"
  | "list_positions"
  | "list_distinct"
  | "list_union"
  | "list_intersect"
  | "list_except"
  | "list_remove"
  | "list_replace"
  | "list_resize"
  | "list_reverse"
  | "list_sort"
  | "list_flatten"
  | "make_struct"
  | "struct_member"
  | "make_map"
  | "map_value"
  | "map_keys"
  | "map_values"
  | "map_entries"
  | "map_cardinality";

/** The most items that one call may put into a list beyond those it was given. */
export const LIST_LENGTH_MAX = 10_000_000;
