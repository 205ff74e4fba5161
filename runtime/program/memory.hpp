#pragma once
// The allocator, set for a process that holds much for long: glibc's defaults would give every thread an
// arena of its own and let freed pages linger.

namespace egress {

void set_up_memory();
// After a burst of work: gives back to the kernel what it needed. Takes milliseconds.
void give_back_memory();

}  // namespace egress
