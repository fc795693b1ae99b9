/*
 * weft_shared.h - what tasks share: groups, flights, pools, maps. A part of weft.h, which includes
 * it, with the same rules.
 */
#ifndef WEFT_SHARED_H
#define WEFT_SHARED_H

#include <weft.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- groups ---- */

/* Tasks that are waited for together. fn returns 0 or an error; the first error is kept, and
 * cancels the group's context if it has one, as its cause. Ready when all zero. Go: errgroup.Group.
 */
struct weft_group {
    uint32_t guard;
    int err;
    uint64_t running, limit;
    struct weft_ctx *ctx;
    const void *ctx_at, *entered_at; /* where it got that, and its last task */
    struct weft_waitq for_place, for_end;
};

/* Gives the group a context below `parent` (NULL: the background), before its first task. It is
 * cancelled by the first error, and when wait returns. The caller owns a reference and releases it
 * after wait. NULL: no memory. Go: errgroup.WithContext. */
WEFT_API struct weft_ctx *weft_group_with_ctx(struct weft_group *group, struct weft_ctx *parent);

/* No more than `limit` tasks at a time; negative: any number. With tasks running it stops the
 * program. Go: g.SetLimit. */
WEFT_API void weft_group_set_limit(struct weft_group *group, int64_t limit);

/* Starts a task, at the limit as soon as one has ended; first come, first served. 0, -ENOMEM,
 * -ESRCH. With a copy of `size` bytes as in weft_go_copy. Go: g.Go(f). */
WEFT_API int weft_group_go(struct weft_group *group, int (*fn)(void *arg), void *arg);
WEFT_API int weft_group_go_copy(struct weft_group *group, int (*fn)(void *copy),
                                const void *capture, size_t size);

/* The same without waiting: -EBUSY at the limit. Go: g.TryGo(f). */
WEFT_API int weft_group_try_go(struct weft_group *group, int (*fn)(void *arg), void *arg);

/* Waits until all have ended: the first error, or 0. Go: g.Wait(). */
WEFT_API int weft_group_wait(struct weft_group *group);

/* ---- flights ---- */

/* Calls that several tasks want at once are made once: who asks for a key while its function runs
 * waits for that result. Nothing is kept after that; see weft_cmap for caches. Results have
 * `value_size` bytes. `retain` and `release` (both or none) are for results that own something:
 * retain(copy) is called for each caller's copy, which the caller ends, release for the flight's
 * own. NULL from new: no memory, or one without the other. Go: singleflight.Group. */
struct weft_flight;
struct weft_flight_options {
    size_t value_size;
    void (*retain)(void *value);
    void (*release)(void *value);
};

WEFT_API struct weft_flight *weft_flight_new(const struct weft_flight_options *options);

/* Nobody may ask any more; functions on their way come to their end. */
WEFT_API void weft_flight_free(struct weft_flight *flight);

/* Calls fn(arg, result), where `result` is zeroed, or joins the call of the key on its way; then
 * copies the result to *value (NULL drops it). What fn returned: 0, or an error, and *value is left
 * alone. *shared (may be NULL): several got this result. -ECANCELED: fn ended by weft_exit;
 * -ENOMEM. fn is run by the first who asks. Go: g.Do(key, fn). */
WEFT_API int weft_flight_do(struct weft_flight *flight, const char *key,
                            int (*fn)(void *arg, void *result), void *arg, void *value,
                            int *shared);

/* The same for callers that may leave: -ECANCELED or -ETIMEDOUT as ctx says, without disturbing the
 * others. fn is run by a task of its own, with a copy of `size` bytes at `capture`.
 * Go: g.DoChan(key, fn) in a select with ctx.Done(). */
WEFT_API int weft_flight_do_ctx(struct weft_flight *flight, struct weft_ctx *ctx, const char *key,
                                int (*fn)(void *copy, void *result), const void *capture,
                                size_t size, void *value, int *shared);

/* Who asks for the key from now on starts another call. Go: g.Forget(key). */
WEFT_API void weft_flight_forget(struct weft_flight *flight, const char *key);

/* ---- pools ---- */

/* Objects to be used again. Each worker keeps some at hand; what nobody has needed for a second or
 * two is destroyed, as is all that is idle by weft_pool_trim. Go: sync.Pool. */
struct weft_pool;

/* Zero in a member means its default. */
struct weft_pool_options {
    size_t size;                   /* of an object; for the default make */
    void *(*make)(void *arg);      /* a fresh object, NULL: no memory; default: malloc(size) */
    void (*reset)(void *object);   /* called by get, on an object that was used before */
    void (*destroy)(void *object); /* by any thread; must not wait; default: free */
    void *arg;                     /* of make */
};

/* NULL: no memory, or neither make nor size. Go: &sync.Pool{New: f}. */
WEFT_API struct weft_pool *weft_pool_new(const struct weft_pool_options *options);

/* Destroys it and what is in it. Nobody may use it any more; objects that are out stay. */
WEFT_API void weft_pool_free(struct weft_pool *pool);

/* An object, of which the caller is the owner: one that was put, or else a fresh one. NULL: no
 * memory. Go: p.Get(). */
WEFT_API void *weft_pool_get(struct weft_pool *pool);

/* Gives an object to the pool; NULL: nothing. It need not have come from it. Go: p.Put(x). */
WEFT_API void weft_pool_put(struct weft_pool *pool, void *object);

/* Destroys the idle objects of a pool, or of all pools (NULL): for when memory is short. Go: what
 * the collector does to them. */
WEFT_API void weft_pool_trim(struct weft_pool *pool);

/* ---- maps ---- */

/* Keys are `key_size` bytes, compared bytewise and given by address; with a key_size of 0 they are
 * strings, given as const char *. Values are `value_size` bytes (0 is allowed), copied in and out.
 * Keys are copied. A key that is not in the map is -ENOENT. */

/* A map for one task at a time: others keep out, as by a weft_mutex around its calls. What is seen
 * of a use by two at once stops the program. NULL: no memory. Go: make(map[K]V). */
struct weft_map;
WEFT_API struct weft_map *weft_map_new(size_t key_size, size_t value_size);

/* Frees it with its keys and values; what values point to is the program's. */
WEFT_API void weft_map_free(struct weft_map *map);

/* The value of the key, in place: valid until the next set; NULL when it is not in. Go: m[k]. */
WEFT_API void *weft_map_get(struct weft_map *map, const void *key);

/* Sets the key's value: 0 or -ENOMEM. Go: m[k] = v. */
WEFT_API int weft_map_set(struct weft_map *map, const void *key, const void *value);

/* 0 or -ENOENT. Go: delete(m, k). */
WEFT_API int weft_map_delete(struct weft_map *map, const void *key);

/* How many keys are in; 0 for NULL. Go: len(m). */
WEFT_API size_t weft_map_len(const struct weft_map *map);

/* Calls fn for each key until it returns other than 0, which is returned. Keys come in the order in
 * which they were first set; fn may set and delete, and what it adds comes too. `key` and `value`
 * are valid until it does. Go: for k, v := range m. */
WEFT_API int weft_map_range(struct weft_map *map,
                            int (*fn)(const void *key, void *value, void *arg), void *arg);

/* A map for any number of tasks and threads at once; none of its calls waits. Loads take no lock
 * and scale with the cores; changes lock one of many parts. Go: sync.Map.
 *
 * With `retain` and `release` (both or none) values own something. Then each value in the map is
 * one owner, and each value that a call hands out another: retain(copy) makes the copy an owner,
 * and the caller ends that when it is done. A stored value's own reference goes over to the map, if
 * the call succeeds; release ends it some time after the value was replaced or deleted, in whatever
 * call of the map comes then, or in weft_cmap_free. retain must not call Weft, release must not
 * wait. */
struct weft_cmap;
struct weft_cmap_options {
    size_t key_size, value_size;
    void (*retain)(void *value);
    void (*release)(void *value);
};

/* NULL: no memory, or retain without release. */
WEFT_API struct weft_cmap *weft_cmap_new(const struct weft_cmap_options *options);

/* Frees it with its keys, and releases its values. Nobody may use it any more. */
WEFT_API void weft_cmap_free(struct weft_cmap *map);

/* Copies the key's value to *value (NULL: only asks): 0 or -ENOENT. Go: m.Load(k). */
WEFT_API int weft_cmap_load(struct weft_cmap *map, const void *key, void *value);

/* 0 or -ENOMEM. Go: m.Store(k, v). */
WEFT_API int weft_cmap_store(struct weft_cmap *map, const void *key, const void *value);

/* 1: the key was in, its value is in *actual (may be NULL); 0: *value was stored; -ENOMEM.
 * Go: m.LoadOrStore(k, v). */
WEFT_API int weft_cmap_load_or_store(struct weft_cmap *map, const void *key, const void *value,
                                     void *actual);

/* Stores *value: 1 with the one before in *previous; 0: there was none; -ENOMEM. Go: m.Swap(k, v).
 */
WEFT_API int weft_cmap_swap(struct weft_cmap *map, const void *key, const void *value,
                            void *previous);

/* 0 or -ENOENT; the deleted value is in *value (may be NULL). Go: m.LoadAndDelete, m.Delete. */
WEFT_API int weft_cmap_load_and_delete(struct weft_cmap *map, const void *key, void *value);
WEFT_API int weft_cmap_delete(struct weft_cmap *map, const void *key);

/* Only if the key's value is *old, bytewise: 0; else -ESTALE, -ENOENT; -ENOMEM.
 * Go: m.CompareAndSwap(k, old, new), m.CompareAndDelete(k, old). */
WEFT_API int weft_cmap_compare_and_swap(struct weft_cmap *map, const void *key, const void *old,
                                        const void *value);
WEFT_API int weft_cmap_compare_and_delete(struct weft_cmap *map, const void *key, const void *old);

/* Deletes all. Go: m.Clear(). */
WEFT_API void weft_cmap_clear(struct weft_cmap *map);

/* How many keys are in, summed over the parts one after the other. */
WEFT_API size_t weft_cmap_len(const struct weft_cmap *map);

/* Calls fn with copies of each key and value until it returns other than 0, which is returned; or
 * -ENOMEM. The value is kept alive for the call. No key comes twice; one that is set or deleted
 * meanwhile may come or not. fn may use the map, and wait. Go: m.Range(f). */
WEFT_API int weft_cmap_range(struct weft_cmap *map,
                             int (*fn)(const void *key, void *value, void *arg), void *arg);

#ifdef __cplusplus
}
#endif
#endif
