#pragma once

#include "base/result.hpp"
#include "kubernetes/document.hpp"
#include "kubernetes/document_types.hpp"

#include <vector>

/// Text to model values. Strict: an unknown kind or field, a wrong type and a value that the API's
/// own validation would refuse are errors, each of the form
/// "source:line:column: Kind ns/name: path: what was expected".
///
/// Passed over, because the server that keeps an object writes them and they say nothing to
/// Strait: status, and of metadata managedFields, resourceVersion, finalizers, ownerReferences,
/// selfLink, deletionTimestamp, deletionGracePeriodSeconds, generateName beside a name.
/// A field that the API has and Strait does not implement is listed in the object's `unsupported`,
/// and a filter type of that sort becomes an UnsupportedFilter.
///
/// Pure: any thread may call.
namespace strait::kubernetes {

struct Decoded {
  std::vector<Document> objects; ///< Of the documents without an error, in their order.
  std::vector<Error> errors;     ///< At most max_errors, all of which name their document.
};

/// Errors that one text may collect; the last of them says that there are more.
inline constexpr std::size_t max_errors = 1'000;

/// Every document of the text. Items of a `kind: List` stand for themselves.
Decoded decode_yaml(std::string_view text, std::string_view source);

/// One object as JSON. All that is wrong with it is in the one error, parted by "; ".
Result<Document> decode_json(std::string_view text, std::string_view source = "");

/// One object as an API server has it. What the server accepted is read as far as it is known: a
/// field that is not is listed in the object's `unsupported` and is no error. So is a field of
/// which the server does not know that it is wrong, with what was expected, where the kind has that
/// list: the object is there, and whoever resolves it says what is wrong. The value such a field
/// has then means nothing. Without a name or such a list, the error is all there is.
Result<Document> decode_live(const Node& object);

} // namespace strait::kubernetes
