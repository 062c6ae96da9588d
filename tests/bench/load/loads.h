// The kinds of load, a file each; `dohle_load KIND key=value...` runs one and prints one line of JSON.
#pragma once

#include "options.h"

namespace dohle::load {

void commit(const Options& options);
void create(const Options& options);
void fetch(const Options& options);
void idle(const Options& options);
void join(const Options& options);
void produce(const Options& options);
void remove(const Options& options);
void tail(const Options& options);
void touch(const Options& options);

}  // namespace dohle::load
