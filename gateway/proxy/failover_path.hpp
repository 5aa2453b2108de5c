#pragma once

namespace strait::gateway::proxy {

/// How far one request has come along its own cluster (place 0) and those that stand in for it
/// (Cluster::failover: places 1, 2, …) while no connection could be made: so many
/// tries in each, at different endpoints, but only one that used up its time; then the next. It
/// never turns back, so a request ends. A pure machine.
class FailoverPath {
public:
  /// In one cluster: several, because the endpoints of one that is rolled may be gone by half.
  static constexpr unsigned tries_max = 4;

  /// Places that are done with, from the first on.
  unsigned passed_over() const { return passed_over_; }
  unsigned place() const { return place_; }

  /// The next attempt is made in the cluster at this place.
  void go_to(unsigned place) {
    if (place == place_)
      return;
    failures_ = 0;
    place_ = passed_over_ = place;
  }
  /// It came to no connection.
  void not_connected(bool timed_out) {
    if (timed_out || ++failures_ >= tries_max)
      pass_over();
  }
  /// Its cluster is done with.
  void pass_over() { passed_over_ = place_ + 1; }

private:
  unsigned passed_over_ = 0, place_ = 0, failures_ = 0;
};

} // namespace strait::gateway::proxy
