import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'

/**
 * Returns the addresses at which other machines on the network can reach this machine. The first address is most likely that
 * of the room: networks of virtual machines, containers and VPNs come last.
 */
export function addresses(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): string[] {
  return Object.entries(interfaces)
    .flatMap(([name, each = []]) => each.map((one) => ({ name, ...one })))
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .toSorted((a, b) => rank(a) - rank(b))
    .map(({ address }) => address)
}

function rank({ name, address }: { name: string; address: string }): number {
  if (VIRTUAL.test(name)) return 3
  // A machine gives itself such an address if no network gives it one.
  if (address.startsWith('169.254.')) return 2
  return WIRELESS.test(name) ? 0 : 1
}

/** Linux: wlp3s0. Windows: Wi-Fi, WLAN. The first interface of a Mac is usually its Wi-Fi. */
const WIRELESS = /^(?:wl|wi-?fi|en0$)/i

const VIRTUAL =
  /^(?:docker|br-|bridge|veth|virbr|vm|vbox|virtualbox|vethernet|hyper-v|wsl|tun|tap|utun|ppp|wg|zt|zerotier|tailscale|lxc|lxd|podman|cni|flannel|awdl|llw)/i
