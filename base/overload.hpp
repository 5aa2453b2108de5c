#pragma once

namespace strait {

/// std::visit(overload{[](A&) {…}, [](B&) {…}}, variant)
template <class... Fs>
struct overload : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overload(Fs...) -> overload<Fs...>;

} // namespace strait
