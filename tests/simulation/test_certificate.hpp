#pragma once

namespace strait::test {

/// A self-signed pair for *.example.com that guards nothing: tests need bytes that parse and match.
inline constexpr const char* certificate_pem = R"(
-----BEGIN CERTIFICATE-----
MIIBuTCCAV+gAwIBAgIUXlwkcrEhEAEse0s+R1LZ1f3k67YwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQdGVzdC5leGFtcGxlLmNvbTAgFw0yNjExMjMxMzEyMjVaGA8y
MTI2MTAzMDEzMTIyNVowGzEZMBcGA1UEAwwQdGVzdC5leGFtcGxlLmNvbTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABNvZaBTCP/ZKMwGkAdupwsUWt1V3hnmor03d
dOKItFPO3+1hxNr9DWMbG3MGkT8d8W82gLCjJ0iVZxG4kABHtbWjfzB9MB0GA1Ud
DgQWBBQpNkrAGPxjuR7mHg6zsDj1Gy7SJTAfBgNVHSMEGDAWgBQpNkrAGPxjuR7m
Hg6zsDj1Gy7SJTAPBgNVHRMBAf8EBTADAQH/MCoGA1UdEQQjMCGCEHRlc3QuZXhh
bXBsZS5jb22CDSouZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDSAAwRQIgedvT6OSl
HqXv8bdOTO3yQIILrC7S7+6dJs+/sDfNUP0CIQDY2NCuwVlKFZacv8tBiTvUIqn7
Y+EmUTBJ0QqrApz/Tg==
-----END CERTIFICATE-----
)";
inline constexpr const char* key_pem = R"(
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCgnSKaDXcwZCkGv3
RaQGjvj8LQViDljrfroNliUBn6ahRANCAATb2WgUwj/2SjMBpAHbqcLFFrdVd4Z5
qK9N3XTiiLRTzt/tYcTa/Q1jGxtzBpE/HfFvNoCwoydIlWcRuJAAR7W1
-----END PRIVATE KEY-----
)";

} // namespace strait::test
