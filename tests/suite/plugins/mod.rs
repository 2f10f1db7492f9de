//! The plugins of this project, at the real API server: what each shows, and what it is refused.

mod access_matrix;
mod discovery;
mod get_all;
mod images;
mod kubewarden;
mod neat;
mod outdated_api;
mod pages;
mod policy_check;
mod resource_capacity;
mod rules;
mod tail;
mod tree;
mod view_secret;
mod who_can;
mod whoami;
