package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// ticker counts the ticks of a goroutine beside the others, and the longest time between two.
type ticker struct {
	ticks, longest atomic.Int64
}

func (t *ticker) run(ctx context.Context) {
	last := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := time.Now()
			t.longest.Store(max(t.longest.Load(), int64(now.Sub(last)/time.Millisecond)))
			t.ticks.Add(1)
			last = now
		}
	}
}

// watch prints the changes of pods, while one goroutine ticks and another lists.
func (t *tool) watch() *cobra.Command {
	var events int
	var duration time.Duration
	command := &cobra.Command{Use: "watch", RunE: func(cmd *cobra.Command, _ []string) error {
		_, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), duration)
		defer cancel()
		watch, err := set.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		defer watch.Stop()
		var beside ticker
		go beside.run(ctx)
		var lists atomic.Int64
		go func() {
			for ctx.Err() == nil {
				if _, err := set.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{}); err == nil {
					lists.Add(1)
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		seen := 0
		for event := range watch.ResultChan() {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok {
				return fmt.Errorf("%s with a %T", event.Type, event.Object)
			}
			fmt.Fprintf(t.Out, "%s\t%s\t%s\n", event.Type, pod.Name, pod.Status.Phase)
			if seen++; seen == events {
				break
			}
		}
		fmt.Fprintln(t.Out, "ticked:", beside.ticks.Load() > 0, "listed:", lists.Load() > 0)
		fmt.Fprintf(t.ErrOut, "%d ticks, at most %d ms apart; %d lists\n", beside.ticks.Load(), beside.longest.Load(), lists.Load())
		return nil
	}}
	command.Flags().IntVar(&events, "events", 0, "")
	command.Flags().DurationVar(&duration, "for", 5*time.Second, "")
	return command
}

const (
	sequence = "sequence"
	last     = "last"
)

// churnLabels select the ConfigMaps of one churn.
func churnLabels(name string) map[string]string { return map[string]string{"churn": name} }

// count watches the ConfigMaps that churn writes, and reports how many of their changes arrived.
func (t *tool) count() *cobra.Command {
	var objects int
	command := &cobra.Command{Use: "count NAME", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, arguments []string) error {
		_, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		selector := labels.SelectorFromSet(churnLabels(arguments[0])).String()
		watch, err := set.CoreV1().ConfigMaps(namespace).Watch(cmd.Context(), metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return err
		}
		defer watch.Stop()
		events, finished := 0, 0
		next := map[string]int{}
		var begun time.Time
		for event := range watch.ResultChan() {
			config, ok := event.Object.(*corev1.ConfigMap)
			if !ok {
				return fmt.Errorf("%s with a %T", event.Type, event.Object)
			}
			number, err := strconv.Atoi(config.Data[sequence])
			if err != nil {
				continue
			}
			if events == 0 {
				begun = time.Now()
			}
			if number != next[config.Name] {
				return fmt.Errorf("%s: %d came instead of %d", config.Name, number, next[config.Name])
			}
			next[config.Name]++
			events++
			if config.Data[last] == "true" {
				finished++
			}
			if finished == objects {
				fmt.Fprintf(t.Out, "%d changes, none lost\n", events)
				fmt.Fprintf(t.ErrOut, "%.0f a second\n", float64(events)/time.Since(begun).Seconds())
				return nil
			}
		}
		return errors.New("the watch ended")
	}}
	command.Flags().IntVar(&objects, "objects", 1, "")
	return command
}

// churn changes ConfigMaps at a rate, as far as the server keeps up.
func (t *tool) churn() *cobra.Command {
	var objects, changes, rate int
	command := &cobra.Command{Use: "churn NAME", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, arguments []string) error {
		_, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		maps := set.CoreV1().ConfigMaps(namespace)
		begun := time.Now()
		each, interval := changes/objects, time.Duration(objects)*time.Second/time.Duration(rate)
		failures := make(chan error, objects)
		for object := range objects {
			go func() {
				name := fmt.Sprintf("%s-%d", arguments[0], object)
				failures <- churnOne(cmd.Context(), maps, name, arguments[0], each, interval)
			}()
		}
		for range objects {
			if err := <-failures; err != nil {
				return err
			}
		}
		fmt.Fprintf(t.ErrOut, "%d changes, %.0f a second\n", each*objects, float64(each*objects)/time.Since(begun).Seconds())
		return nil
	}}
	command.Flags().IntVar(&objects, "objects", 1, "")
	command.Flags().IntVar(&changes, "changes", 10000, "")
	command.Flags().IntVar(&rate, "rate", 1000, "")
	return command
}

func churnOne(ctx context.Context, maps typedcorev1.ConfigMapInterface, name, label string, changes int, interval time.Duration) error {
	err := maps.Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: churnLabels(label)}}
	if config, err = maps.Create(ctx, config, metav1.CreateOptions{}); err != nil {
		return err
	}
	begun := time.Now()
	for i := range changes {
		time.Sleep(time.Until(begun.Add(time.Duration(i) * interval)))
		config.Data = map[string]string{sequence: strconv.Itoa(i), last: strconv.FormatBool(i+1 == changes)}
		if config, err = maps.Update(ctx, config, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	return nil
}
