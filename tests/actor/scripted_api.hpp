#pragma once
// A kube_api actor that answers nothing by itself: the test sees what was asked, and answers when it likes.

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <deque>
#include <map>
#include <memory>

#include "runtime/actor/messages.hpp"

namespace egress::test {

// What was asked; owned by the test, outlives the actor.
struct api_script {
  struct request {
    std::uint64_t ticket = 0;
    kube::request what;
  };
  struct poll {
    std::uint64_t ticket = 0;
    watch_poll what;
  };
  std::deque<request> requests;
  std::deque<poll> polls;
  std::vector<std::uint64_t> closed;
  std::uint64_t tickets = 0;

  request next_request() {
    auto first = std::move(requests.front());
    requests.pop_front();
    return first;
  }
  poll next_poll() {
    auto first = std::move(polls.front());
    polls.pop_front();
    return first;
  }
};

inline void answer(const kube_api_actor& api, std::uint64_t ticket, kube::reply with) {
  auto made = std::make_shared<delivery>();
  made->ticket = ticket;
  made->reply = std::make_shared<api_reply>(api_reply{std::move(with)});
  caf::anon_send(api, payload<delivery>{std::move(made)});
}

inline void answer(const kube_api_actor& api, std::uint64_t ticket, kube::watch_chunk with) {
  auto made = std::make_shared<delivery>();
  made->ticket = ticket;
  made->news = std::make_shared<watch_news>(watch_news{std::move(with)});
  caf::anon_send(api, payload<delivery>{std::move(made)});
}

// Promises may be kept from inside the actor only.
struct scripted_api_state {
  static inline const char* name = "scripted_api";
  std::map<std::uint64_t, caf::typed_response_promise<payload<api_reply>>> requests;
  std::map<std::uint64_t, caf::typed_response_promise<payload<watch_news>>> polls;
};

inline kube_api_actor::behavior_type scripted_api(kube_api_actor::stateful_pointer<scripted_api_state> self,
                                                  api_script* script) {
  return {
      [](const directory_ptr&) {},
      [self, script](const payload<api_request>& what) {
        auto promise = self->make_response_promise<payload<api_reply>>();
        self->state.requests[++script->tickets] = promise;
        script->requests.push_back({script->tickets, what->what});
        return promise;
      },
      [self, script](const payload<watch_poll>& what) {
        auto promise = self->make_response_promise<payload<watch_news>>();
        self->state.polls[++script->tickets] = promise;
        script->polls.push_back({script->tickets, *what});
        return promise;
      },
      [script](close_watch_atom, std::uint64_t stream) { script->closed.push_back(stream); },
      [self](const payload<delivery>& what) {
        if (what->reply) self->state.requests[what->ticket].deliver(what->reply);
        if (what->news) self->state.polls[what->ticket].deliver(what->news);
      },
  };
}

inline kube::api_error failure(kube::api_errc code, std::string message = "scripted") {
  kube::api_error made;
  made.code = code;
  made.message = std::move(message);
  return made;
}

}  // namespace egress::test
