import { nginx } from '../tools/proxies.ts'
import {
  startProxyProcess,
  type ProxyDir,
  type ProxyOptions,
  type RunningProxy,
} from './proxy-process.ts'

/**
 * Starts nginx.
 *
 * @param http returns the content of `http { … }`, given the address for `listen` and the folder for its files
 */
export function startNginx(
  http: (listen: string, dir: ProxyDir) => string,
  options?: ProxyOptions,
): Promise<RunningProxy> {
  return startProxyProcess(
    nginx,
    (dir) => {
      const { port, folder, write } = dir
      const conf = write('main.conf', mainConf(http(`127.0.0.1:${port}`, dir)))
      return ['-p', folder, '-e', 'stderr', '-c', conf]
    },
    options,
  )
}

/** Returns a `server` block that proxies everything, with the given directives in its `location`. */
export function site(listen: string, upstream: string, directives: string): string {
  return `
  server {
    listen ${listen};
    location / {
      proxy_pass ${upstream};
      ${directives}
    }
  }`
}

/** Returns a configuration with which nginx runs as one process in the foreground and writes only to its folder. */
function mainConf(http: string): string {
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 256; }
http {
  access_log off;
  # No path leads out of something that is not a folder, so a location without proxy_pass serves no file.
  root /dev/null;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  ${http}
}
`
}
