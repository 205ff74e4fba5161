#pragma once
// The JSON tree of API objects: what is rendered, compared, merged and sent. Boost.JSON, used under this
// name only. (What streams in by the megabyte is read by simdjson: decode.hpp.)

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_ref.hpp>
#include <initializer_list>
#include <utility>

namespace egress::json {

using boost::json::array;
using boost::json::object;
using boost::json::storage_ptr;
using boost::json::string;
using boost::json::value;

// {{"name", …}, …}: an object's members as they are written down, for functions that make it. A member's
// value may be such a list again. It is made once, where it belongs, and needs no storage to be named. Only
// as a parameter: it points at what the call was written with.
using members = std::initializer_list<std::pair<boost::json::string_view, boost::json::value_ref>>;

}  // namespace egress::json
