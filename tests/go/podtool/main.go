// podtool is an ordinary program of cobra, cli-runtime and client-go. Nothing in it is written for WebAssembly.
package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/client-go/rest"
)

// tool is what all commands share.
type tool struct {
	genericiooptions.IOStreams
	flags *genericclioptions.ConfigFlags
}

// client returns a client for the cluster and namespace of the flags.
func (t *tool) client() (*rest.Config, *kubernetes.Clientset, string, error) {
	config, err := t.flags.ToRESTConfig()
	if err != nil {
		return nil, nil, "", err
	}
	namespace, _, err := t.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, nil, "", err
	}
	// Only the server limits the rate.
	config.QPS, config.Burst = -1, 0
	set, err := kubernetes.NewForConfig(config)
	return config, set, namespace, err
}

func main() {
	t := &tool{
		genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		genericclioptions.NewConfigFlags(true),
	}
	root := &cobra.Command{Use: "kubectl-podtool", SilenceUsage: true}
	t.flags.AddFlags(root.PersistentFlags())
	root.AddCommand(
		t.list(), t.get(), t.watch(), t.count(), t.churn(), t.informer(),
		t.logs(), t.exec(), t.forward(), t.many(),
	)
	if err := root.ExecuteContext(context.Background()); err != nil {
		os.Exit(1)
	}
}
