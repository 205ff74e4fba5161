#include "runtime/actor/health_teller.hpp"

#include <caf/send.hpp>
#include <utility>

namespace egress {

void health_teller::use(metrics_actor to) {
  to_ = std::move(to);
  told_.reset();
}

void health_teller::tell(health_report now) {
  if (!to_ || told_ == now) return;
  told_ = now;
  caf::anon_send(to_, payload<health_report>{std::make_shared<health_report>(std::move(now))});
}

}  // namespace egress
