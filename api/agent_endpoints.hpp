#pragma once

#include "api/router.hpp"

namespace strait::api {

/// An empty 200 once all commands are done; else the first failure, 400 when the request is wrong.
Reply empty_or_error(const Write::Results& results, const catalog::View&);

/// Reports what was found of a check with a TTL to who runs the agent's checks, so that its time
/// starts anew; calls back once, on any thread.
using ReportTtl = std::function<void(std::string check_id, model::Health status, std::string output,
                                     std::function<void(Status)>)>;

void add_agent_endpoints(Router& router);
/// Without `report` a report is only written into the catalog.
void add_agent_check_endpoints(Router& router, ReportTtl report);

} // namespace strait::api
