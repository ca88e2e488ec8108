//! Which hosts a server may send us to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Whether one of the entries, `host`, `host:port` or `scheme://host:port`, stands for an address. What is not said is the
/// address's scheme, and the usual port of that.
pub(super) fn is_among(url: &Url, allowed: &[String]) -> bool {
    allowed.iter().any(|entry| {
        let entry = entry.trim();
        let entry = if entry.contains("://") { entry.into() } else { format!("{}://{entry}", url.scheme()) };
        Url::parse(&entry).is_ok_and(|entry| entry.has_host() && entry.origin() == url.origin())
    })
}

/// Whether an address may be that of an object store which the whole world can ask: encrypted, and by its looks not in the
/// machine's own network. What its name stands for shows when it is asked: [`is_public`].
pub(super) fn looks_public(url: &Url) -> bool {
    url.scheme() == "https"
        && match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name.contains('.')
                    && ![".localhost", ".internal", ".local"].iter().any(|end| name.ends_with(end))
            }
            Some(Host::Ipv4(ip)) => is_public(ip.into()),
            Some(Host::Ipv6(ip)) => is_public(ip.into()),
            None => false,
        }
}

/// Whether an address is one of the whole internet, and not of this machine or its own network, where services answer
/// everyone who reaches them: those that tell machines of a cloud who they are, above all.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_4(ip),
        IpAddr::V6(ip) => match embedded(ip) {
            Some(ip) => is_public_4(ip),
            // Everything else that was ever given away begins with 001.
            None => ip.segments()[0] & 0xe000 == 0x2000,
        },
    }
}

fn is_public_4(ip: Ipv4Addr) -> bool {
    let [first, second, third, _] = ip.octets();
    // Addresses of a provider's own network, of protocols, and for measuring.
    let shared = first == 100 && (64..128).contains(&second);
    let special = (first, second, third) == (192, 0, 0) || (first == 198 && matches!(second, 18 | 19));
    let local = ip.is_private() || ip.is_loopback() || ip.is_link_local();
    !(first == 0 || first >= 224 || local || shared || special || ip.is_documentation())
}

/// The address of IPv4 that one of IPv6 stands for: as itself, translated, or by a tunnel.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = ip.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match parts {
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => ip.to_ipv4_mapped(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_among(url: &str, entry: &str, expected: bool) {
        assert_eq!(is_among(&url.parse().unwrap(), &[entry.to_owned()]), expected, "{url} {entry}");
    }

    #[test]
    fn an_entry_stands_for_an_origin() {
        check_among("https://files.test/a", "files.test", true);
        check_among("https://files.test/a", "FILES.test:443", true);
        check_among("https://files.test/a", " https://files.test ", true);
        check_among("http://files.test/a", "files.test", true);
        check_among("http://minio:9000/a", "minio:9000", true);
        check_among("http://[::1]:9000/a", "[0:0::1]:9000", true);
        check_among("http://minio:9000/a", "minio", false);
        check_among("http://files.test/a", "https://files.test", false);
        check_among("https://files.test.evil.test/a", "files.test", false);
        check_among("https://evil.test/files.test", "files.test", false);
        check_among("https://files.test@evil.test/", "files.test", false);
        check_among("https://files.test/a", "", false);
        check_among("https://files.test/a", "*", false);
    }

    #[track_caller]
    fn check_looks(url: &str, expected: bool) {
        assert_eq!(looks_public(&url.parse().unwrap()), expected, "{url}");
    }

    #[test]
    fn an_object_store_looks_public() {
        check_looks("https://bucket.s3.eu-west-3.amazonaws.com/a?partNumber=1", true);
        check_looks("https://8.8.8.8/a", true);
        check_looks("https://[2606:4700::1]/a", true);
        check_looks("http://bucket.s3.amazonaws.com/a", false);
        check_looks("ftp://bucket.s3.amazonaws.com/a", false);
        check_looks("file:///etc/passwd", false);
        check_looks("https://minio/a", false);
        check_looks("https://localhost/a", false);
        check_looks("https://LOCALHOST./a", false);
        check_looks("https://x.localhost/a", false);
        check_looks("https://metadata.google.internal/a", false);
        check_looks("https://metadata.google.internal./a", false);
        check_looks("https://169.254.169.254/latest/meta-data", false);
        // The same address in other clothes.
        check_looks("https://2852039166/latest", false);
        check_looks("https://0xa9fea9fe/latest", false);
        check_looks("https://[::ffff:169.254.169.254]/latest", false);
        check_looks("https://[64:ff9b::a9fe:a9fe]/latest", false);
        check_looks("https://[2002:a9fe:a9fe::1]/latest", false);
        check_looks("https://[fd00:ec2::254]/latest", false);
    }

    #[test]
    fn addresses_of_ones_own_network_are_not_public() {
        let own = "127.0.0.1 10.0.0.5 172.16.1.1 192.168.1.1 169.254.169.254 0.0.0.0 100.100.100.200 192.0.0.192 \
                   198.18.0.1 192.0.2.1 224.0.0.1 255.255.255.255 240.0.0.1 ::1 :: fe80::1 fd00::1 fc00::1 ff02::1 \
                   ::ffff:10.0.0.5 ::7f00:1 64:ff9b::7f00:1 2002:7f00:1::";
        for ip in own.split_whitespace() {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["1.1.1.1", "172.32.0.1", "100.63.0.1", "52.216.0.1", "2606:4700::1", "2002:808:808::"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}
