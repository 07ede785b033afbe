use super::{Network, Proxies};
use crate::audit::{Finding, Practice, Severity};

/// The findings about the trusted proxies.
pub(crate) fn findings(proxies: &Proxies) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (proxies.networks.is_empty(), proxies.form) {
        (false, None) => findings.push(no_form()),
        (true, Some(_)) => findings.push(nobody()),
        (true, None) | (false, Some(_)) => {}
    }
    for network in proxies.networks.iter() {
        if network.is_nearly_everyone() {
            findings.push(everyone(network));
        } else if network.is_public() && !network.is_one_address() {
            findings.push(strangers(network));
        }
    }
    findings
}

fn no_form() -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-proxy-form",
        "https.trusted_proxies names proxies, but https.client_ip_source is not set",
    )
    .why("Every visitor would have the proxy's address. One visitor with too many sign-in attempts would block all others.")
    .fix("Set https.client_ip_source to \"x-forwarded-for\", \"forwarded\" or \"proxy-protocol\": the one that the proxy writes itself, over the visitor's value.")
    .asvs(&["4.1.3"])
}

fn nobody() -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-proxy-nobody",
        "https.client_ip_source is set, but https.trusted_proxies is empty",
    )
    .why("Dewar ignores the headers of an unlisted proxy, so the setting would have no effect.")
    .fix("Name the proxy's address in https.trusted_proxies, or remove https.client_ip_source.")
    .asvs(&["4.1.3"])
}

fn everyone(network: &Network) -> Finding {
    let title = format!("https.trusted_proxies trusts {network}, which is nearly everyone");
    Finding::refuse(Practice::Https, "https-proxy-everyone", title)
        .why("Any visitor could choose the address that Dewar rate-limits and logs.")
        .fix("List the addresses of the proxies.")
        .severity(Severity::High)
        .cwe(348)
        .asvs(&["4.1.3"])
}

fn strangers(network: &Network) -> Finding {
    let title = format!("https.trusted_proxies trusts {network}, a public network");
    Finding::warn(Practice::Https, "https-proxy-public", title)
        .why("Anyone in that network can choose the address that Dewar rate-limits and logs.")
        .fix("Keep it only if all of its machines are your proxies, and a firewall blocks everyone else.")
        .cwe(348)
        .asvs(&["4.1.3"])
}
