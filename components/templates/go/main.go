// Command kubectl-plugin-name lists the pods of a namespace, a line "NAME PHASE" each, and with --watch a line for each change.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout)
	if errors.Is(err, pflag.ErrHelp) || errors.Is(err, errOutput) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "plugin-name: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string, out io.Writer) error {
	flags := pflag.NewFlagSet("kubectl plugin-name", pflag.ContinueOnError)
	watch := flags.BoolP("watch", "w", false, "go on with each change")
	// kubectl's own flags, such as -n and --context.
	overrides := &clientcmd.ConfigOverrides{}
	clientcmd.BindOverrideFlags(overrides, flags, clientcmd.RecommendedConfigOverrideFlags(""))
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	// In kwasm, the kubeconfig is already what they select.
	if os.Getenv("KWASM_CONTEXT") != "" {
		*overrides = clientcmd.ConfigOverrides{}
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	namespace, _, err := loader.Namespace()
	if err != nil {
		return err
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	return show(ctx, client.Resource(pods).Namespace(namespace), *watch, out)
}
