#pragma once
// How many descriptors the process may have.

namespace egress {

// Raises the soft limit to the hard one, 65,536 at most. It is 1,024 under many container runtimes, for
// programs that call select(); connections of DNS clients, of scrapers and to the API server may be more.
void raise_descriptor_limit();

}  // namespace egress
