# SPDX-License-Identifier: GPL-2.0
# ci/verify --matrix as GitLab's child pipeline: a job per part, and one that merges.  GitLab has no matrix that a job makes.
def job: {
  timeout: "2 hours",
  artifacts: {when: "always", paths: ["build/report", "build/reports"]}
};
{
  default: {
    image: "debian:12",
    before_script: [
      "apt-get update && apt-get install -y git make ca-certificates",
      "git config --global user.name ci && git config --global user.email ci@localhost"
    ],
    cache: {key: "uffd-$CI_JOB_NAME", paths: [".ccache", "build/deb"]}
  },
  variables: {CI: "", CCACHE_DIR: "$CI_PROJECT_DIR/.ccache"},
  stages: ["prove", "merge"]
} + (.include | map({
  key: .topic,
  value: (job + {
    stage: "prove",
    script: ["make ci VERIFY=\"--from \(.from) --to \(.to) --report build/reports/\(.topic)\""]
  })
}) | from_entries) + {
  merge: (job + {stage: "merge", when: "always", script: ["make tree", "ci/adapters/merge build/report build/reports/*"]})
}
