// The API server and the namespace that the user chose.
//
// kwasm has put both into the kubeconfig, which is JSON and holds no credentials: kwasm adds them to each request that the
// plugin's policy allows. `KubeConfig` of Kubernetes' client cannot be used: it needs modules of Node.js.

export function clusterOf(kubeconfig) {
  const { contexts, clusters, "current-context": current } = JSON.parse(kubeconfig);
  const entry = (entries, name) => entries?.find((entry) => entry.name === name);
  const context = entry(contexts, current)?.context;
  if (!context) {
    throw new Error("no context is selected");
  }
  const { server } = entry(clusters, context.cluster).cluster;
  return { server, namespace: context.namespace ?? "default" };
}
