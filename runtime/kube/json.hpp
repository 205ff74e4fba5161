#pragma once
// The JSON tree of API objects: what is rendered, compared, merged and sent. Boost.JSON, used under this
// name only. (What streams in by the megabyte is read by simdjson: decode.hpp.)

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace egress::json {

using boost::json::array;
using boost::json::object;
using boost::json::storage_ptr;
using boost::json::string;
using boost::json::value;

}  // namespace egress::json
