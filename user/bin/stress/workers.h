/* What one process of stress does; returns its exit code, 0 = all correct. */
#ifndef STRESS_WORKERS_H
#define STRESS_WORKERS_H

/* kind: compute, produce, consume, serve or call. */
int work(const char *kind, int seed, int seconds);

#endif
