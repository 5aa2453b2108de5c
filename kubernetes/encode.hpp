#pragma once

#include "catalog/model/condition.hpp"
#include "kubernetes/document.hpp"
#include "kubernetes/document_types.hpp"

/// Model values to text, as `kubectl get -o yaml` and `-o json` show them: apiVersion, kind,
/// metadata, spec and, where one is given, status. What is written decodes to an equal value, but
/// for `unsupported`: the values of such fields are not kept, YAML names them in a comment.
///
/// Pure: any thread may call.
namespace strait::kubernetes {

/// The tree of the object, for putting several in one list. `status` may be null.
Node encode(const Document& document, const model::ObjectStatus* status = nullptr);

std::string to_yaml(const Document& document, const model::ObjectStatus* status = nullptr);
std::string to_json(const Document& document, const model::ObjectStatus* status = nullptr);

/// A `kind: List` of the objects that `encode` made.
Node list_document(std::vector<Node> items);

} // namespace strait::kubernetes
