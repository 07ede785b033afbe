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
        "https.trusted_proxies names proxies, and https.client_ip_source does not say how they name a visitor",
    )
    .why("Every visitor would have the proxy's address: one of them who tries passwords locks out all.")
    .fix("Set https.client_ip_source to \"x-forwarded-for\", \"forwarded\" or \"proxy-protocol\": the one that the proxy writes itself, over what a visitor sent.")
    .asvs(&["4.1.3"])
}

fn nobody() -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-proxy-nobody",
        "https.client_ip_source is set, and https.trusted_proxies names nobody",
    )
    .why("The headers of a proxy that is not named count for nothing, so the setting would do nothing.")
    .fix("Name the proxy's address in https.trusted_proxies, or remove https.client_ip_source.")
    .asvs(&["4.1.3"])
}

fn everyone(network: &Network) -> Finding {
    let title = format!("https.trusted_proxies trusts {network}, which is nearly everyone");
    Finding::refuse(Practice::Https, "https-proxy-everyone", title)
        .why("Any visitor could choose the address that is throttled and logged.")
        .fix("Name the proxies' own addresses.")
        .severity(Severity::High)
        .cwe(348)
        .asvs(&["4.1.3"])
}

fn strangers(network: &Network) -> Finding {
    let title = format!("https.trusted_proxies trusts {network}, a network of the Internet");
    Finding::warn(Practice::Https, "https-proxy-public", title)
        .why("Whoever sends from there chooses the address that is throttled and logged.")
        .fix("Keep it only if everyone in it is a proxy of yours, and let a firewall admit nobody else.")
        .cwe(348)
        .asvs(&["4.1.3"])
}
