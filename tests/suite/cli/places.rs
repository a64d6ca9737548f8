//! Wherever in a project a command is typed, it is the same project.

use std::fs;

use super::world::{World, ran};

#[test]
fn sub_folders_worktrees_and_links_show_the_same_project() {
    let world = World::trusted();
    let id = world.session(&["component_test", "Pricing"]);
    assert_eq!(world.run(&["run", &id]).code, 0);
    let worktree = world.json(&["show", &id])["worktree"].as_str().unwrap().to_owned();
    let link = world.folder.join("link");
    std::os::unix::fs::symlink(&world.project, &link).unwrap();
    fs::create_dir_all(world.project.join("docs/deep")).unwrap();
    let list = world.json(&["ls"]);
    assert_eq!(list.as_array().unwrap().len(), 1);
    for folder in
        [world.project.join("docs/deep").as_str(), link.as_str(), worktree.as_str(), &format!("{worktree}/tests")]
    {
        let mut here = world.command(&["ls", "--json"]);
        let ran = ran(here.current_dir(folder));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&ran.out).unwrap(), list, "in {folder}: {ran:?}");
        assert_eq!(world.json(&["ls", "--project", folder]), list, "--project {folder}");
    }
}

#[test]
fn a_worktree_that_a_person_made_is_a_project_of_its_own() {
    let world = World::new();
    world.session(&["component_test", "Pricing"]);
    let other = world.folder.join("other");
    world.git(&["worktree", "add", "--quiet", other.as_str(), "-b", "other"]);
    assert_eq!(world.json(&["ls", "--project", other.as_str()]), serde_json::json!([]));
    world.ok(&["new", "component_test", "Total", "--project", other.as_str()]);
    assert_eq!(world.json(&["ls", "--project", other.as_str()])[0]["component"], "Total");
    assert_eq!(world.json(&["ls"])[0]["component"], "Pricing");
}

#[test]
fn without_a_named_store_it_is_in_the_users_data_folder() {
    let world = World::new();
    let here = |arguments: &[&str], data: Option<&str>| {
        let mut command = world.command(arguments);
        command.env_remove("CALLBOARD_DB").envs(data.map(|data| ("XDG_DATA_HOME", data)));
        assert_eq!(ran(&mut command).code, 0);
    };
    here(&["new", "component_test", "Pricing"], None);
    assert!(world.folder.join("home/.local/share/callboard/callboard.db").is_file());
    let data = world.folder.join("data");
    here(&["ls"], Some(data.as_str()));
    assert!(data.join("callboard/callboard.db").is_file());
}
