#include "actors/dns/io/pending_questions.hpp"

#include "runtime/base/give_back.hpp"

namespace egress::dns {

bool pending_questions::same::operator()(const key& a, const pending_question* b) const {
  return a.hash == b->hash && a.asked.type == b->asked.type && key_bits(a.asked) == key_bits(b->asked) &&
         same_name(a.asked.name, b->asked.name);
}

pending_question* pending_questions::find(const query& asked) const {
  const auto found = all_.find(key{asked, hash_key(asked, seed_)});
  return found == all_.end() ? nullptr : *found;
}

pending_question& pending_questions::add(const query& asked) {
  if (spare_.empty()) {
    spare_.reserve(owned_.size() + 1);  // giving back must not fail
    spare_.push_back(owned_.emplace_back(std::make_unique<pending_question>()).get());
  }
  pending_question& one = *spare_.back();
  one.waiters.reserve(pending_question::first_waiters);  // the first one is taken without fail
  one.asked = asked;
  one.asked.packet = one.asked.client_cookie = {};
  one.hash = hash_key(asked, seed_);
  all_.insert(&one);
  spare_.pop_back();
  return one;
}

void pending_questions::give_back(pending_question& one) {
  // What an unusual one took is not kept for all that come.
  constexpr std::size_t usual_reply = 1232, usual_waiters = 64;
  if (one.poor.capacity() > usual_reply) egress::give_back(one.poor);
  if (one.waiters.capacity() > usual_waiters) egress::give_back(one.waiters);
  one.group = nullptr;
  one.waiters.clear();
  one.attempts.clear();
  one.tried.clear();
  one.poor.clear();
  one.plain_asked = false;
  one.no_edns_at.reset();
  spare_.push_back(&one);
}

}  // namespace egress::dns
