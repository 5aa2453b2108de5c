#pragma once

#include "api/router.hpp"

namespace strait::api {

/// The status for a code on Strait's own endpoints.
int status_of(Errc code);
/// {"error":{"code":"invalid","detail":"…"}}: how Strait's own endpoints refuse.
Reply error_reply(const Error& error);

/// /strait/v1/apply, delete and objects:
///
///   POST   apply                   documents (YAML or JSON): {"results":[{"kind","namespace",
///                                  "name","result":"created|configured|unchanged|failed",
///                                  "revision","unsupported":[…]}]}; with ?dry-run only validated
///   POST   delete                  removes what the documents name: "deleted" or "not-found"
///   GET    objects/KIND[/NS[/NAME]]?format=json|yaml   with status; blocking
///   DELETE objects/KIND/NS/NAME    NS is "-" for kinds without namespaces
///
/// All documents are decoded before the first is written; one that cannot be taken refuses all.
void add_object_endpoints(Router& router);

} // namespace strait::api
