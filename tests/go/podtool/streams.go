package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
)

// logs copies the log of a pod.
func (t *tool) logs() *cobra.Command {
	var follow bool
	command := &cobra.Command{Use: "logs POD", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, arguments []string) error {
		_, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		stream, err := set.CoreV1().Pods(namespace).GetLogs(arguments[0], &corev1.PodLogOptions{Follow: follow}).Stream(cmd.Context())
		if err != nil {
			return err
		}
		defer stream.Close()
		_, err = io.Copy(t.Out, stream)
		return err
	}}
	command.Flags().BoolVarP(&follow, "follow", "f", false, "")
	return command
}

// exec runs a command in a pod, over SPDY or WebSocket.
func (t *tool) exec() *cobra.Command {
	var websocket, stdin bool
	command := &cobra.Command{Use: "exec POD -- COMMAND", Args: cobra.MinimumNArgs(2), RunE: func(cmd *cobra.Command, arguments []string) error {
		config, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		request := set.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(arguments[0]).SubResource("exec").
			VersionedParams(&corev1.PodExecOptions{Command: arguments[1:], Stdin: stdin, Stdout: true, Stderr: true}, scheme.ParameterCodec)
		executor, err := executor(config, request.URL(), websocket)
		if err != nil {
			return err
		}
		options := remotecommand.StreamOptions{Stdout: t.Out, Stderr: t.ErrOut}
		if stdin {
			options.Stdin = t.In
		}
		return executor.StreamWithContext(cmd.Context(), options)
	}}
	command.Flags().BoolVar(&websocket, "websocket", false, "")
	command.Flags().BoolVarP(&stdin, "stdin", "i", false, "")
	return command
}

func executor(config *rest.Config, at *url.URL, websocket bool) (remotecommand.Executor, error) {
	if websocket {
		return remotecommand.NewWebSocketExecutor(config, http.MethodGet, at.String())
	}
	return remotecommand.NewSPDYExecutor(config, http.MethodPost, at)
}

// forward forwards a port of a pod, and prints what an HTTP server answers there.
func (t *tool) forward() *cobra.Command {
	return &cobra.Command{Use: "forward POD PORT", Args: cobra.ExactArgs(2), RunE: func(_ *cobra.Command, arguments []string) error {
		config, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		request := set.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(arguments[0]).SubResource("portforward")
		transport, upgrader, err := spdy.RoundTripperFor(config)
		if err != nil {
			return err
		}
		dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, request.URL())
		stop, ready := make(chan struct{}), make(chan struct{})
		forwarder, err := portforward.New(dialer, []string{"0:" + arguments[1]}, stop, ready, io.Discard, t.ErrOut)
		if err != nil {
			return err
		}
		done := make(chan error, 1)
		go func() { done <- forwarder.ForwardPorts() }()
		select {
		case <-ready:
		case err := <-done:
			return err
		}
		ports, err := forwarder.GetPorts()
		if err != nil {
			return err
		}
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", ports[0].Local))
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		fmt.Fprintln(t.Out, answer.Status)
		_, err = io.Copy(t.Out, answer.Body)
		close(stop)
		return err
	}}
}
