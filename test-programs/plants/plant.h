/* plant.h - what the plants of `loiter doctor` share. */
#ifndef PLANT_H
#define PLANT_H

/* Ends the program when `ok` is 0. */
void must(int ok, const char *what);
void pause_ms(long ms);

/* plant_costs.c: what is done too often, or too much of at once. */
void plant_timers(void);
void plant_threads(void);
void plant_blocking(void);
void plant_polling(void);
void plant_descriptors(void);
void plant_files(void);
void plant_children(void);
void plant_init(void);
void plant_queue(void);
void plant_counter(void);
void plant_buffers(void);
void plant_memory(void);

#endif
